# fish completion for omnigraph; commands and options are asked of the program itself.
function __omnigraph_verb
    set -l verb
    for word in (commandline -opc)[2..]
        string match -q -- '-*' $word; and continue
        set -a verb $word
        contains -- "$verb" branch commit schema help; or break
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

# A list of no words is no argument at all, so it is joined in quotes.
function __omnigraph_wants_command
    set -l verb (__omnigraph_verb)
    contains -- "$verb" "" branch commit schema help
end

function __omnigraph_after
    set -l words (commandline -opc)
    test "$words[-1]" = "$argv[1]"
end

complete -c omnigraph -n __omnigraph_wants_command -f -a '(__omnigraph_commands)'
complete -c omnigraph -n '__omnigraph_after --mode' -f -a 'overwrite append merge'
complete -c omnigraph -n '__omnigraph_after --kind' -f -a 'node edge'
complete -c omnigraph -n '__omnigraph_after --op' -f -a 'insert update delete'
complete -c omnigraph -n '__omnigraph_after --format' -f -a 'table kv csv jsonl json'
complete -c omnigraph -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__omnigraph_options)'
