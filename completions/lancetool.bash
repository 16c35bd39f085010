# bash completion for lancetool. Commands and options are asked of the program itself.
_lancetool() {
    local cur=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]}
    if [ "$COMP_CWORD" = 1 ]; then
        # shellcheck disable=SC2086
        COMPREPLY=($(compgen -W "$($program --help 2>/dev/null |
            sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')" -- "$cur"))
        return
    fi
    # shellcheck disable=SC2086
    case $cur in
    -*) COMPREPLY=($(compgen -W "$($program ${COMP_WORDS[1]} --help 2>/dev/null |
            grep -oE -- '^  --[a-z-]+' | sort -u)" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -f -- "$cur")) ;;
    esac
}
complete -o filenames -F _lancetool lancetool
