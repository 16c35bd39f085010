# bash completion for omnigraph. Commands and options are asked of the program itself, so this never
# knows less than the program does.
_omnigraph() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb='' word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        -*) ;;
        *) verb="${verb:+$verb }$word"; [[ $verb == @(branch|commit|schema|help) ]] || break ;;
        esac
    done
    local program=${COMP_WORDS[0]}
    if [[ -z $verb || ( $verb == @(branch|commit|schema|help) && $cur != "$verb" ) ]]; then
        # shellcheck disable=SC2086
        COMPREPLY=($(compgen -W "$($program $verb --help 2>/dev/null |
            sed -n '/^Commands:/,/^$/s/^  \([a-z]*\).*/\1/p' | sort -u)" -- "$cur"))
        return
    fi
    case $prev in
    --mode) COMPREPLY=($(compgen -W 'overwrite append merge' -- "$cur")); return ;;
    --kind) COMPREPLY=($(compgen -W 'node edge' -- "$cur")); return ;;
    --op) COMPREPLY=($(compgen -W 'insert update delete' -- "$cur")); return ;;
    --format) COMPREPLY=($(compgen -W 'table kv csv jsonl json' -- "$cur")); return ;;
    --schema | --data | --query | --params-file | --config | --uri)
        COMPREPLY=($(compgen -f -- "$cur")); return ;;
    esac
    # shellcheck disable=SC2086
    case $cur in
    -*) COMPREPLY=($(compgen -W "$($program $verb --help 2>/dev/null |
            grep -oE -- '--[a-z-]+' | sort -u)" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -f -- "$cur")) ;;
    esac
}
complete -o filenames -F _omnigraph omnigraph
