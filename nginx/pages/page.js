// What a mailed link opens: posts the token behind the `#` with what the form asks for, and says what came of it.
// Nothing happens before somebody presses the button: programs that look at mails open links, too.
const form = document.querySelector("form");
const button = form.querySelector("button");
const said = document.querySelector("[role=status]");
const withoutToken = "withoutToken" in form.dataset;
const token = new URLSearchParams(location.hash.slice(1)).get("token");
history.replaceState(null, "", location.pathname); // not in the history, not over a shoulder

const REFUSALS = {
  401: `The link is not valid, or its time is over. ${form.dataset.instead ?? "Ask for a new mail."}`,
  404: "The account of this link is gone.",
  409: "The link was used before, and works only once.",
  429: "That was too often. Try again in a few minutes.",
};

function stop(text) {
  form.hidden = true;
  said.textContent = text;
}

// What is asked of those who are not signed in: disabled fields are neither required nor sent.
function ask(whether) {
  for (const part of form.querySelectorAll("[data-unless-signed-in]")) {
    part.hidden = !whether;
    for (const input of part.querySelectorAll("input")) {
      input.disabled = !whether;
    }
  }
}

// Who is signed in sends a cookie with it; the answer then needs proof that this page sent it.
function csrf() {
  const found = document.cookie.match(/(?:^|; )__Host-csrf_token=([^;]*)/);
  return found ? { "X-CSRF-Token": found[1] } : {};
}

async function refusal(answer) {
  const { error } = await answer.json().catch(() => ({ error: {} }));
  if (answer.status === 400) {
    const label = (field) => form.elements[field]?.labels[0].firstChild.textContent.trim() ?? field;
    const reasons = (error.details ?? []).map(({ field, message }) => `${label(field)} ${message}`);
    said.textContent = reasons.join("; ") || error.message || "That was refused.";
  } else if (answer.status === 403 && error.message) {
    ask(true); // the session that there seemed to be is over, or of another account
    said.textContent = `${error.message[0].toUpperCase()}${error.message.slice(1)}.`;
  } else if (answer.status in REFUSALS && answer.status !== 429) {
    stop(REFUSALS[answer.status]);
  } else {
    said.textContent = REFUSALS[answer.status] ?? "That cannot be done at the moment. Try again later.";
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  for (const again of form.querySelectorAll("[data-same-as]")) {
    if (again.value !== form.elements[again.dataset.sameAs].value) {
      said.textContent = "The two are not the same.";
      return;
    }
  }
  button.disabled = true;
  said.textContent = "";
  try {
    const answer = await fetch(form.dataset.to, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...csrf() },
      body: JSON.stringify({ ...(withoutToken ? {} : { token }), ...Object.fromEntries(new FormData(form)) }),
      credentials: "same-origin", // the answer makes this browser one that its owner has used
    });
    if (answer.ok) {
      stop(form.dataset.done);
    } else {
      await refusal(answer);
    }
  } catch {
    said.textContent = "Nobody can be reached at the moment. Try again later.";
  }
  button.disabled = false;
});

ask(!("X-CSRF-Token" in csrf()));
if (!token && !withoutToken) {
  stop("This page needs the link from your mail, as it is.");
}
