autocmd BufRead,BufNewFile *.mlspec setfiletype mlspec
