-- A spec opened in Neovim, and what a person does with it there: diagnostics, completion, hover, definition, rename,
-- layout, a repair. Run by neovim.sh; every step is told on a line of its own, and the first that fails ends it.

local python, root = os.getenv("PYTHON"), os.getenv("PROJECT")
local file = root .. "/main.mlspec"

local function say(text) io.stdout:write(text .. "\n") end

local function fail(step, found)
  say("FAILED " .. step .. ": " .. vim.inspect(found))
  vim.cmd("cquit 1")
end

local function check(step, holds, found)
  if not holds then fail(step, found) end
  say("ok " .. step)
end

local function text() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n") end

local function until_(what) return vim.wait(30000, what, 20) end

-- The cursor at the first place of a text; Neovim counts bytes.
local function at(wanted, more)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local place = line:find(wanted, 1, true)
    if place then return vim.api.nvim_win_set_cursor(0, { number, place - 1 + (more or 0) }) end
  end
  fail("find " .. wanted, text())
end

local function ask(method, params)
  local answers = vim.lsp.buf_request_sync(0, method, params or vim.lsp.util.make_position_params(), 20000)
  for _, answer in pairs(answers or {}) do return answer.result end
end

local function codes()
  return vim.tbl_map(function(one) return one.code end, vim.diagnostic.get(0))
end

vim.cmd("edit " .. vim.fn.fnameescape(file))
local client = vim.lsp.start_client({ name = "mlspec", cmd = { python, "-m", "mlspec", "lsp" }, root_dir = root })
vim.lsp.buf_attach_client(0, client)

check("diagnostics", until_(function() return codes()[1] == "E602" end), vim.diagnostic.get(0))
local told = vim.diagnostic.get(0)[1]
local line = vim.api.nvim_buf_get_lines(0, told.lnum, told.lnum + 1, false)[1]
check("the place of a mistake behind what is wide", line:sub(told.col + 1, told.end_col) == "rmsee", told)

vim.api.nvim_win_set_cursor(0, { told.lnum + 1, told.col })
local context = { diagnostics = vim.lsp.diagnostic.get_line_diagnostics(0) }
local range = vim.lsp.util.make_range_params()
range.context = context
local actions = ask("textDocument/codeAction", range)
check("a repair is offered", actions and actions[1] and actions[1].kind == "quickfix", actions)
vim.lsp.util.apply_workspace_edit(actions[1].edit, "utf-16")
check("the repair leaves no mistake", until_(function() return #vim.diagnostic.get(0) == 0 end), vim.diagnostic.get(0))

at("from .länge", 6)
local found = ask("textDocument/completion")
local labels = vim.tbl_map(function(item) return item.label end, found and found.items or {})
check("completion of columns", vim.tbl_contains(labels, "länge") and vim.tbl_contains(labels, "art"), labels)

local hover = ask("textDocument/hover")
check("hover", hover and hover.contents.value:find("länge: float", 1, true), hover)

at("from züge", 5)
vim.lsp.buf.definition()
check("definition", until_(function() return vim.api.nvim_win_get_cursor(0)[1] == 2 end), vim.api.nvim_win_get_cursor(0))

at("data züge", 5)
vim.lsp.buf.rename("bahnen")
check("rename", until_(function() return not text():find("züge", 1, true) end), text())
check("rename of each place", select(2, text():gsub("bahnen", "")) == 2, text())

at("  test = 20%")
vim.api.nvim_set_current_line("test=20%")
local edits = ask("textDocument/formatting", vim.lsp.util.make_formatting_params({}))
vim.lsp.util.apply_text_edits(edits or {}, 0, "utf-16")
check("layout", text():find("\n  test = 20%\n", 1, true), text())

local symbols = ask("textDocument/documentSymbol", { textDocument = vim.lsp.util.make_text_document_params() })
check("outline", symbols and #symbols == 4 and symbols[1].name == "bahnen", symbols)

at("predict .größe")
vim.api.nvim_set_current_line("  predict .größe from .")
check("a text that is broken is told", until_(function() return #vim.diagnostic.get(0) > 0 end), text())
vim.api.nvim_win_set_cursor(0, { vim.api.nvim_win_get_cursor(0)[1], #"  predict .größe from ." })
vim.cmd("startinsert!")
found = ask("textDocument/completion", {
  textDocument = vim.lsp.util.make_text_document_params(),
  position = { line = vim.api.nvim_win_get_cursor(0)[1] - 1, character = vim.str_utfindex("  predict .größe from .") },
})
labels = vim.tbl_map(function(item) return item.label end, found and found.items or {})
check("completion in a broken line", vim.tbl_contains(labels, "länge"), labels)

vim.lsp.stop_client(client)
check("the server ends", until_(function() return vim.lsp.client_is_stopped(client) end), client)
vim.cmd("qall!")
