"use strict";
const at = (id) => document.getElementById(id);
let waiting = 0;
let asked = 0;

async function compile() {
  const mine = ++asked;
  at("state").textContent = "compiling";
  const body = JSON.stringify({
    schema: at("schema").value, queries: at("queries").value, models: at("models").value,
  });
  try {
    const answer = await fetch("compile", {
      method: "POST", headers: { "Content-Type": "application/json" }, body,
    });
    if (mine !== asked) return;
    if (!answer.ok) throw new Error(await answer.text());
    const found = await answer.json();
    at("problems").textContent = found.problems || "none";
    at("code").textContent = ["queries.py", "models.py"]
      .filter((name) => name in found.files)
      .map((name) => `# ${name}\n${found.files[name]}`).join("\n\n");
    at("reasons").textContent = found.reasons;
    at("plan").textContent = found.plan;
    at("state").textContent = "up to date";
  } catch (error) {
    if (mine === asked) at("state").textContent = error.message;
  }
}

for (const id of ["schema", "queries", "models"]) {
  at(id).addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(compile, 400);
  });
}
compile();
