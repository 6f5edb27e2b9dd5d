" Vim indent file for mlspec: a body, and what stands in brackets, is two further to the right.
if exists("b:did_indent")
  finish
endif
let b:did_indent = 1

setlocal indentexpr=MlspecIndent() indentkeys=0},0],0),!^F,o,O
let b:undo_indent = "setlocal indentexpr< indentkeys<"

if exists("*MlspecIndent")
  finish
endif

function MlspecIndent() abort
  let above = prevnonblank(v:lnum - 1)
  if above == 0
    return 0
  endif
  " Neither strings nor comments open anything.
  let text = substitute(substitute(getline(above), '"\%([^"\\]\|\\.\)*"', "", "g"), "#.*", "", "")
  let opens = len(substitute(text, "[^[({]", "", "g")) - len(substitute(text, '^\s*[])}]\+\|[^])}]', "", "g"))
  let closes = getline(v:lnum) =~# '^\s*[])}]'
  return indent(above) + shiftwidth() * (opens - closes)
endfunction
