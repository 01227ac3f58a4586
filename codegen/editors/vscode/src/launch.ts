// How the server is started, without the editor: tests start it in the same way.

import * as fs from "node:fs";
import * as path from "node:path";

export interface Launch {
  command: string;
  args: string[];
  cwd: string | undefined;
}

// Queries and migrations, and the configuration itself: files of which the server is the only one.
export const ownSelector = [
  { scheme: "file", language: "sql" },
  { scheme: "file", pattern: "**/*.sql" },
  { scheme: "file", pattern: "**/sqlc.{yaml,yml,json}" },
];

// What the server is asked about: also SQL in literals of Python files, beside Python's own server.
export const documentSelector = [...ownSelector, { scheme: "file", language: "python" }];

// `sql.py` is the module that `aiosqlc scan` writes for literals.
export const watched = ["**/*.sql", "**/sqlc.{yaml,yml,json}", "**/sql.py"];

const INSIDE = [path.join(".venv", "bin", "aiosqlc"), path.join(".venv", "Scripts", "aiosqlc.exe")];

/** Return the program to start: a plain `aiosqlc` is that of the workspace where it has one. */
export function launch(command: readonly string[], folders: readonly string[]): Launch {
  const [program = "aiosqlc", ...args] = command;
  const own = folders.flatMap((folder) => INSIDE.map((name) => path.join(folder, name)));
  const found = program === "aiosqlc" ? own.find((name) => fs.existsSync(name)) : undefined;
  return { command: found ?? program, args, cwd: folders[0] };
}
