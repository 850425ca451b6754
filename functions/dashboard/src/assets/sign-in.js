// Signing in by the user pool: the authorization code flow with PKCE. The token is brought to this site once, for a session of
// its own, and kept nowhere.

const KEPT = "millrace-sign-in";
const RETURN_TO = `${location.origin}/signed-in`;

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** Sends the browser to the pool. What proves on return that it was this browser stays in its session storage. */
async function begin({ address, client }) {
  const kept = { state: random(), verifier: random() };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(kept.verifier));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: client,
    redirect_uri: RETURN_TO,
    scope: "openid email",
    state: kept.state,
    code_challenge: base64url(new Uint8Array(hash)),
    code_challenge_method: "S256",
  });
  location.assign(`${address}/oauth2/authorize?${query}`);
}

/** Exchanges the code for a token, and the token for a session. */
async function finish({ address, client }) {
  const query = new URLSearchParams(location.search);
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  sessionStorage.removeItem(KEPT);
  // The code is of no more use; it need not stay in the history.
  history.replaceState(null, "", "/signed-in");
  if (query.has("error")) throw new Error(query.get("error_description") ?? query.get("error"));
  if (!kept || query.get("state") !== kept.state) throw new Error("This sign-in was not begun in this window.");
  const token = await fetch(`${address}/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: client,
      code: query.get("code") ?? "",
      redirect_uri: RETURN_TO,
      code_verifier: kept.verifier,
    }),
  });
  if (!token.ok) throw new Error("The user pool gave no token.");
  const { id_token: idToken } = await token.json();
  const session = await fetch("/signed-in", { method: "POST", headers: { Authorization: `Bearer ${idToken}` } });
  if (!session.ok) throw new Error("The account was not accepted.");
  location.replace("/");
}

const tell = (error) => {
  document.getElementById("message").textContent = error.message;
};
const button = document.getElementById("user-pool");
const returned = document.getElementById("returned");
button?.addEventListener("click", () => begin(button.dataset).catch(tell));
if (returned) finish(returned.dataset).catch(tell);
