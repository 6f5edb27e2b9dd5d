" Vim indent file for mlspec: a body, and what stands in brackets, is further to the right. A query keeps its own layout,
" and so does what goes on after a comma.
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
  let groups = map(synstack(above, len(getline(above))), 'synIDattr(v:val, "name")')
  if index(groups, "mlspecSql") >= 0 || getline(above) =~# ',\s*$'
    return -1
  endif
  " Neither strings nor comments open anything.
  let text = substitute(substitute(getline(above), '"\%([^"\\]\|\\.\)*"', "", "g"), "#.*", "", "")
  let opens = len(substitute(text, "[^[({]", "", "g")) - len(substitute(text, '^\s*[])}]\+\|[^])}]', "", "g"))
  let first = above
  while getline(prevnonblank(first - 1)) =~# ',\s*$'
    let first = prevnonblank(first - 1)
  endwhile
  let closes = getline(v:lnum) =~# '^\s*[])}]'
  return indent(first) + shiftwidth() * (opens - closes)
endfunction
