" Vim syntax file
" Language: mlspec
" Generated from the grammar by `python -m mlspec.grammar.editors`; edit that, not this.

if exists("b:current_syntax")
  finish
endif

syntax include @mlspecQuery syntax/sql.vim
unlet! b:current_syntax
syntax case match
syntax iskeyword @,48-57,_,192-255
syntax sync fromstart

syntax match mlspecReference /\v<\K\k*/
syntax match mlspecName /\v\K\k*/ contained
syntax match mlspecType /\v\K\k*/ contained
syntax match mlspecFunction /\v\K\k*/ contained
syntax match mlspecDate /\v\K\k*/ contained
syntax match mlspecPunctuation /\v\(|\)|,|:|;|\[|\]|\{|\}/
syntax match mlspecOperator /\v\!\=|\.\.|\<\=|\=\=|\>\=|\*|\+|-|\/|\<|\=|\>|\?|\|/
syntax match mlspecFunction /\v<\K\k*\ze\s*\(/
syntax match mlspecNumber /\v\d[0-9_]*%(\.\d[0-9_]*)?%([eE][+-]?\d+)?/ nextgroup=mlspecUnit
syntax match mlspecUnit /\v%(\%|[A-Za-z]\k*)/ contained
syntax match mlspecDate /\v\d{4}-\d\d-\d\d%(T\d\d:\d\d%(:\d\d)?)?/
syntax match mlspecDate /\v\d{1,2}:\d\d/
syntax match mlspecColumn /\v\.%(\K\k*|"%([^"\\\n]|\\[^\n])*")/
syntax match mlspecString /\v"[^"]*$/
syntax match mlspecString /\v"%([^"\\\n]|\\[^\n])*"/
syntax region mlspecString matchgroup=mlspecString start=/\v"""/ end=/\v"""/
syntax match mlspecRecipe /\v<\K\k*\ze\s+"/
syntax match mlspecRecipe /\v<\K\k*\ze\s+%(%(measure|predict|service|except|expect|mlspec|search|secret|every|false|model|needs|param|data|each|else|from|last|true|all|and|env|not|set|use|as|at|by|in|on|or)>)@!\K/
syntax match mlspecKeyword /\v<%(measure|predict|except|expect|mlspec|search|secret|every|needs|param|each|else|from|last|all|and|env|not|set|use|as|at|by|in|on|or)>/
syntax match mlspecBoolean /\v<%(false|true)>/
syntax match mlspecRecipe /\v%(<by\s+)@19<=%(notebook|python|shell|split|http|sql)>%(\s*[.=:"])@!/
syntax match mlspecRecipe /\v%(<env\s+\K\k*\s+on\s+)@99<=\K\k*/
syntax region mlspecSql matchgroup=mlspecString start=/\v%(<sql\s+)@9<="%(%([^"\\]|\\.)*\.\csql\C\s*"|"")@!/ end=/\v"/ skip=/\\./ oneline keepend contains=@mlspecQuery
syntax region mlspecSql matchgroup=mlspecString start=/\v%(<sql\s+)@9<="""/ end=/\v"""/ keepend contains=@mlspecQuery
syntax region mlspecSql matchgroup=mlspecString start=/\v%(<query\s*\=\s*)@19<="%(%([^"\\]|\\.)*\.\csql\C\s*"|"")@!/ end=/\v"/ skip=/\\./ oneline keepend contains=@mlspecQuery
syntax region mlspecSql matchgroup=mlspecString start=/\v%(<query\s*\=\s*)@19<="""/ end=/\v"""/ keepend contains=@mlspecQuery
syntax match mlspecName /\v%(<%(param|env|as)\s+)@19<=\K\k*/
syntax region mlspecType matchgroup=mlspecPunctuation start=/\v:/ end=/\v[=,;}#]|<%(in|from)>|%(\|\s*)@<!$/me=s-1 contains=mlspecType,mlspecString,mlspecOperator,mlspecPunctuation,mlspecComment,mlspecDoc
syntax region mlspecName matchgroup=mlspecKind start=/\v<%(service|model|data)>/ end=/\v<%(from|by)>|[{;]|%(,\s*%(#.*)?)@<!$|%(,\s*)@<!#/me=s-1 contains=mlspecName,mlspecString,mlspecOperator,mlspecPunctuation,mlspecComment,mlspecDoc
syntax region mlspecName matchgroup=mlspecKeyword start=/\v<secret>/ end=/\v%(,\s*%(#.*)?)@<!$|%(,\s*)@<!#/me=s-1 contains=mlspecName,mlspecString,mlspecOperator,mlspecPunctuation,mlspecComment,mlspecDoc
syntax region mlspecFunction matchgroup=mlspecKeyword start=/\v<measure>/ end=/\v<on>|[;}]|%(,\s*%(#.*)?)@<!$|%(,\s*)@<!#/me=s-1 contains=mlspecFunction,mlspecRecipe,mlspecKeyword,mlspecName,mlspecString,mlspecOperator,mlspecPunctuation,mlspecComment,mlspecDoc
syntax region mlspecDate matchgroup=mlspecKeyword start=/\v<every>/ end=/\v[;}#]|$/me=s-1 contains=mlspecDate,mlspecNumber,mlspecKeyword,mlspecString,mlspecOperator,mlspecPunctuation,mlspecComment,mlspecDoc
syntax match mlspecKeyword /\v%(,\s*)@9<=%(unique)>%(\s*\()@!/
syntax match mlspecColumn /\v<%(%(false|else|true|and|not|in|or)>)@!\K\k*\ze\s*:/
syntax match mlspecColumn /\v"%([^"\\\n]|\\[^\n])*"\ze\s*:/
syntax match mlspecArgument /\v<%(%(false|else|true|and|not|in|or)>)@!\K\k*\ze\s*\=%(\=)@!/
syntax match mlspecArgument /\v%(%(^|[{;])\s*)@99<=<%(%(false|else|true|and|not|in|or)>)@!\K\k*\ze\s+in>/
syntax match mlspecName /\v%(<param\s+)@19<=\K\k*/
syntax match mlspecComment /\v#.*$/
syntax match mlspecDoc /\v##.*$/

highlight default link mlspecComment Comment
highlight default link mlspecDoc SpecialComment
highlight default link mlspecKind Structure
highlight default link mlspecKeyword Statement
highlight default link mlspecBoolean Boolean
highlight default link mlspecName Function
highlight default link mlspecRecipe Special
highlight default link mlspecType Type
highlight default link mlspecColumn Identifier
highlight default link mlspecFunction Function
highlight default link mlspecNumber Number
highlight default link mlspecUnit Number
highlight default link mlspecDate Constant
highlight default link mlspecString String
highlight default link mlspecOperator Operator
highlight default link mlspecPunctuation Delimiter

let b:current_syntax = "mlspec"
