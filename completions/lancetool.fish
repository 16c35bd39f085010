# fish completion for lancetool; commands and options are asked of the program itself.
function __lancetool_commands
    lancetool --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
end

function __lancetool_options
    set -l words (commandline -opc)
    lancetool $words[2] --help 2>/dev/null | string match -ar -- '--[a-z-]+' | sort -u
end

complete -c lancetool -n 'test (count (commandline -opc)) -eq 1' -f -a '(__lancetool_commands)'
complete -c lancetool -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__lancetool_options)'
