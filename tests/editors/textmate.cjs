// textmate.cjs GRAMMAR… -- FILE… : the scopes of every token, as VS Code's own engine finds them.
// Prints {file: [[line, start, end, [scope, …]], …]}; a grammar is a file of TextMate JSON.
const fs = require("fs");
const oniguruma = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

const split = process.argv.indexOf("--");
const grammars = {};
for (const path of process.argv.slice(2, split)) {
  const raw = parseRawGrammar(fs.readFileSync(path, "utf8"), path);
  grammars[raw.scopeName] = raw;
}

function tokens(grammar, text) {
  const found = [];
  let stack = INITIAL;
  text.split(/\r?\n/).forEach((line, number) => {
    const read = grammar.tokenizeLine(line, stack);
    for (const token of read.tokens) found.push([number, token.startIndex, token.endIndex, token.scopes]);
    stack = read.ruleStack;
  });
  return found;
}

async function main() {
  await oniguruma.loadWASM(fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer);
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (scope) => grammars[scope] ?? null,
  });
  const grammar = await registry.loadGrammar("source.mlspec");
  const files = process.argv.slice(split + 1);
  console.log(JSON.stringify(Object.fromEntries(files.map((f) => [f, tokens(grammar, fs.readFileSync(f, "utf8"))]))));
}

main();
