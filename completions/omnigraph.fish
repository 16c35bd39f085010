# fish completion for omnigraph; commands and options are asked of the program itself.
function __omnigraph_verb
    set -l verb
    for word in (commandline -opc)[2..]
        string match -q -- '-*' $word; and continue
        set -a verb $word
        contains -- "$verb" branch commit schema; or break
    end
    string join ' ' -- $verb
end

function __omnigraph_commands
    omnigraph (__omnigraph_verb | string split ' ' -n) --help 2>/dev/null |
        sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort -u
end

function __omnigraph_options
    omnigraph (__omnigraph_verb | string split ' ' -n) --help 2>/dev/null |
        string match -ar -- '--[a-z-]+' | sort -u
end

complete -c omnigraph -n 'contains -- (__omnigraph_verb) "" branch commit schema' -f -a '(__omnigraph_commands)'
complete -c omnigraph -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__omnigraph_options)'
