import { commands, type ExtensionContext, window, workspace } from "vscode";
import { LanguageClient, TransportKind } from "vscode-languageclient/node";

import { documentSelector, launch, ownSelector, watched } from "./launch";

let client: LanguageClient | undefined;

async function start(): Promise<void> {
  const folders = (workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  const command = workspace.getConfiguration("aiosqlc").get<string[]>("command", []);
  const { command: program, args, cwd } = launch(command, folders);
  client = new LanguageClient(
    "aiosqlc",
    "aiosqlc",
    { command: program, args, options: { cwd }, transport: TransportKind.stdio },
    {
      documentSelector,
      synchronize: { fileEvents: watched.map((name) => workspace.createFileSystemWatcher(name)) },
    },
  );
  for (const feature of [
    client.getFeature("textDocument/formatting"),
    client.getFeature("textDocument/rangeFormatting"),
    client.getFeature("textDocument/semanticTokens"),
    client.getFeature("textDocument/documentSymbol"),
  ]) {
    // What the server says of whole files. Else the editor would ask which formatter Python has.
    const initialize = feature.initialize.bind(feature);
    feature.initialize = (capabilities) => initialize(capabilities, ownSelector);
  }
  try {
    await client.start();
  } catch (error) {
    void window.showErrorMessage(
      `aiosqlc: ${program} did not start (${String(error)}). ` +
        "Install it with pip install 'aiosqlc[postgres,lsp]', or set aiosqlc.command.",
    );
  }
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  if (running?.needsStop()) {
    await running.stop();
  }
}

export async function activate(context: ExtensionContext): Promise<void> {
  const restart = async (): Promise<void> => {
    await stop();
    await start();
  };
  context.subscriptions.push(
    commands.registerCommand("aiosqlc.restart", restart),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("aiosqlc.command")) {
        void restart();
      }
    }),
  );
  await start();
}

export function deactivate(): Promise<void> {
  return stop();
}
