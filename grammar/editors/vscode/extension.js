// Starts `mlspec lsp` for .mlspec files, and says so where there is no mlspec.
const { existsSync } = require("fs");
const { delimiter, join } = require("path");
const { commands, window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

const PROGRAM = process.platform === "win32" ? "mlspec.exe" : "mlspec";
const SCRIPTS = process.platform === "win32" ? "Scripts" : "bin";

let client;

async function activate(context) {
  context.subscriptions.push(
    commands.registerCommand("mlspec.restart", restart),
    workspace.onDidChangeConfiguration((change) => change.affectsConfiguration("mlspec.command") && restart()),
  );
  await start();
}

async function deactivate() {
  await client?.stop().catch(() => {}); // one that never started has nothing to stop
  client = undefined;
}

async function restart() {
  await deactivate();
  await start();
}

async function start() {
  const command = program();
  if (!command) return tellMissing("There is no mlspec in a .venv of this workspace, nor on the PATH.");
  client = new LanguageClient("mlspec", "mlspec", { command, args: ["lsp"] }, {
    documentSelector: [{ language: "mlspec" }],
    synchronize: { fileEvents: workspace.createFileSystemWatcher("**/*.{mlspec,sql,py,csv,lock}") },
  });
  try {
    await client.start();
  } catch (error) {
    tellMissing(`${command} lsp did not start: ${error.message ?? error}`);
  }
}

// The program that the setting names, else the workspace's own, else the one on the PATH.
function program() {
  const folders = (workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  const set = workspace.getConfiguration("mlspec").get("command");
  if (set) return set.replace("${workspaceFolder}", folders[0] ?? "");
  const own = folders.flatMap((folder) => [".venv", "venv"].map((name) => join(folder, name, SCRIPTS)));
  const places = [...own, ...(process.env.PATH ?? "").split(delimiter)];
  return places.map((place) => join(place, PROGRAM)).find((path) => existsSync(path));
}

async function tellMissing(what) {
  const settings = "Open settings";
  const help = "Colours work without it. For errors and completion: pip install mlspec, or say in mlspec.command where it is.";
  if ((await window.showWarningMessage(`${what} ${help}`, settings)) === settings) {
    commands.executeCommand("workbench.action.openSettings", "mlspec.command");
  }
}

module.exports = { activate, deactivate };
