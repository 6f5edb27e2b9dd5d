" vim -es -u scopes.vim: for each file that $MLSPEC_FILES names, the syntax groups at every byte.
" Writes {file: [[line, byte, [group, …]], …]} to $MLSPEC_OUT; $MLSPEC_VIM is the folder with syntax/ and ftdetect/.
set nocompatible noswapfile viminfo= encoding=utf-8 maxmempattern=100000
let &runtimepath = $MLSPEC_VIM . "," . $VIMRUNTIME
filetype plugin indent on
syntax on

function s:Groups(file) abort
  execute "edit" fnameescape(a:file)
  if &filetype !=# "mlspec"
    throw "the file type of " . a:file . " is " . &filetype
  endif
  let found = []
  for line in range(1, line("$"))
    for column in range(1, len(getline(line)))
      if getline(line)[column - 1] !~# '\s'
        let stack = map(synstack(line, column), 'synIDattr(v:val, "name")')
        call add(found, [line - 1, column - 1, stack])
      endif
    endfor
  endfor
  return found
endfunction

try
  let s:groups = {}
  for s:file in split($MLSPEC_FILES, "\n")
    let s:groups[s:file] = s:Groups(s:file)
  endfor
  call writefile([json_encode(s:groups)], $MLSPEC_OUT)
catch
  call writefile([v:exception . " at " . v:throwpoint], $MLSPEC_OUT)
  cquit
endtry
qall!
