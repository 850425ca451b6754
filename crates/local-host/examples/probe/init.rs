//! How the process starts, by the variable `PROBE_INIT`.

use std::io::{Read, Write};
use std::time::Duration;

/// `error` reports that the start failed, `exit` ends the process, `hang` never comes to an end, `slow` takes a second.
pub(crate) fn behave() {
    match std::env::var("PROBE_INIT").as_deref() {
        Ok("error") => report_error(),
        Ok("exit") => {
            eprintln!("the last words of a start");
            std::process::exit(3);
        }
        Ok("hang") => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        Ok("slow") => std::thread::sleep(Duration::from_secs(1)),
        _ => {}
    }
}

fn report_error() {
    let body = r#"{"errorType":"Probe.NoSettings","errorMessage":"a setting is missing"}"#;
    let address = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
    if let Ok(mut api) = std::net::TcpStream::connect(&address) {
        let request = format!(
            "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nlambda-runtime-function-error-type: Probe.NoSettings\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut answer = String::new();
        let _ = api.write_all(request.as_bytes()).and_then(|()| api.read_to_string(&mut answer).map(drop));
        println!("{}", answer.lines().next().unwrap_or_default());
    }
    std::process::exit(1);
}
