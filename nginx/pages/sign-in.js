// Where an identity provider sends the browser back to: posts what the provider says, then goes where the user wanted to go.
// No button is needed: without the cookie of the browser that started, nothing happens.
const said = document.querySelector("[role=status]");
const query = new URLSearchParams(location.search);
history.replaceState(null, "", location.pathname); // not in the history, not over a shoulder
const provider = location.pathname.split("/").pop();
const state = query.get("state") ?? "";
const linking = state.startsWith("link.");

const REFUSALS = {
  401: "This sign-in was not started in this browser, or took too long. Start again.",
  403: "This is not allowed: your account is not active, or you must sign in again first.",
  404: "This identity provider is not known here.",
  429: "That was too often. Try again in a few minutes.",
};

// Who is signed in sends a cookie with it; the answer then needs proof that this page sent it.
function csrf() {
  const found = document.cookie.match(/(?:^|; )__Host-csrf_token=([^;]*)/);
  return found ? { "X-CSRF-Token": found[1] } : {};
}

async function finish() {
  const to = linking ? `users/me/identities/${provider}` : `auth/identity-providers/${provider}/sign-in`;
  const given = { code: query.get("code"), state, iss: query.get("iss") };
  const answer = await fetch(`/api/users/v1/${to}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...csrf() },
    body: JSON.stringify(given),
    credentials: "same-origin",
  });
  const { data, error } = await answer.json();
  if (answer.ok) {
    location.replace(data.return_to);
  } else {
    // Of a conflict or an address that is missing the service has the words.
    said.textContent = [400, 409].includes(answer.status)
      ? `Not signed in: ${error.message}.`
      : (REFUSALS[answer.status] ?? "The identity provider cannot be reached at the moment. Try again later.");
  }
}

if (query.has("code")) {
  finish().catch(() => {
    said.textContent = "The platform cannot be reached at the moment. Try again later.";
  });
} else {
  // What the provider writes about it is not repeated: any page can link to this one.
  said.textContent = "You were not signed in. Start again.";
}
