// Opens the dashboard as a person would: signs in, then waits for a record in the live tail and for its sum.
// Usage: node live_tail.mjs ADDRESS PASSWORD CHROMIUM SCREENSHOT
// Reads one word a line from standard input and answers each with one JSON line:
//   tail TEXT     waits until the live tail shows TEXT; answers {"ms": …}
//   text          answers {"text": the page's whole text}
//   shot          takes the screenshot
import { chromium } from "playwright-core";
import { createInterface } from "node:readline";

const [address, password, executablePath, screenshot] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
const faults = [];
page.on("pageerror", (error) => faults.push(String(error)));
page.on("console", (message) => message.type() === "error" && faults.push(message.text()));

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

await page.goto(address);
await page.locator("input[type=password]").fill(password);
await page.locator("button[type=submit]").click();
await page.locator("#panel-tail").waitFor();
answer({ ready: true });

for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(" ");
  if (word === "tail") {
    const begun = Date.now();
    await page.locator("#panel-tail", { hasText: rest.join(" ") }).waitFor({ timeout: 30_000 });
    answer({ ms: Date.now() - begun });
  } else if (word === "text") {
    answer({ text: await page.locator("body").innerText(), faults });
  } else if (word === "shot") {
    await page.screenshot({ path: screenshot, fullPage: true });
    answer({ shot: screenshot });
  }
}
await browser.close();
