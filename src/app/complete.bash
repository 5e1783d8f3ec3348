# shellcheck shell=bash disable=SC2154 # the tables stand before this

# Words of the list $1 that begin with $2, between $3 and $4.
_sextant_words() {
    local word
    for word in $1; do
        [[ $word == "$2"* ]] && COMPREPLY+=("$3$word${4-}")
    done
    return 0
}

# Files (-f) or directories (-d) that begin with $2, behind $3.
_sextant_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
    COMPREPLY=("${COMPREPLY[@]/#/${3-}}")
}

# Values of the parameter $1 that begin with $2, behind $3.
_sextant_value() {
    local words
    if words=$(_sextant_values "$1"); then
        _sextant_words "$words" "$2" "$3"
    else
        _sextant_files -f "$2" "$3"
    fi
}

# NAME=VALUE of a command; another section may stand before the name.
_sextant_setting() {
    local command=$1 setting=$2 before=$3 section=$1 name=${2%%=*}
    if [[ $name == *.* && " $_sextant_commands " == *" ${name%%.*} "* ]]; then
        section=${name%%.*}
        name=${name#*.}
    fi
    if [[ $setting == *=* ]]; then
        _sextant_value "$section.$name" "${setting#*=}" "$before"
        return
    fi
    compopt -o nospace 2>/dev/null
    if [[ $setting == "$section".* ]]; then
        _sextant_words "$(_sextant_names "$section")" "$name" "$section." =
    else
        _sextant_words "$(_sextant_names "$command")" "$name" "" =
        _sextant_words "$_sextant_commands" "$name" "" .
    fi
}

# A command, an option, an operand, or the value of the option before it.
_sextant_word() {
    local command=$1 cur=$2 name=${3#--} names=''
    [[ $command ]] && names=$(_sextant_names "$command")
    if [[ $3 == --* && " $names " == *" $name "* &&
        $(_sextant_values "$command.$name") != "true false" ]]; then
        _sextant_value "$command.$name" "$cur" ""
    elif [[ $cur == -* ]]; then
        _sextant_words "$_sextant_options $names" "${cur#--}" --
    elif [[ -z $command ]]; then
        _sextant_words "$_sextant_commands" "$cur" ""
    else
        _sextant_files -f "$cur"
        [[ $command == pipeline ]] &&
            _sextant_words "$_sextant_commands" "$cur" ""
    fi
}

_sextant() {
    local words=() word glue='' command='' cur prev before='' i
    COMPREPLY=()
    # bash cuts words at "="; here they are whole again.
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ $word == = || $glue ]]; then
            words[${#words[@]}-1]+=$word
            [[ $word == = ]] && glue=1 || glue=''
        else
            words+=("$word")
        fi
    done
    cur=${words[${#words[@]}-1]}
    prev=${words[${#words[@]}-2]}
    # Where bash does not cut, a reply has what stands before the value too.
    [[ $COMP_WORDBREAKS != *=* ]] && before=${cur%"${cur##*=}"}
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        case ${words[i]} in
        -s | --set | -o | --output) i=$((i + 1)) ;;
        -*) ;;
        *)
            command=${words[i]}
            break
            ;;
        esac
    done
    word=${cur%%=*}
    case $prev:$cur in
    *:--help=*) _sextant_words "$_sextant_formats" "${cur#*=}" "$before" ;;
    *:--output=*) _sextant_files -d "${cur#*=}" "$before" ;;
    *:--set=*) _sextant_setting "$command" "${cur#*=}" "$before" ;;
    *:--*=*) _sextant_value "$command.${word#--}" "${cur#*=}" "$before" ;;
    -o:* | --output:*) _sextant_files -d "$cur" ;;
    -s:* | --set:*) _sextant_setting "$command" "$cur" "$before" ;;
    *) _sextant_word "$command" "$cur" "$prev" ;;
    esac
}
complete -F _sextant sextant
