# bash completion for weir(8). What it offers is read from `weir --help` and `weir OBJECT --help`, so that it stays true.

_weir() {
	local cur prev help words
	cur=${COMP_WORDS[COMP_CWORD]}
	prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()

	case $prev in
	-c | --config | --pcap | --anchors | --password-file)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	new)
		if [ "${COMP_WORDS[1]}" = key ]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
		fi
		;;
	rotate)
		mapfile -t COMPREPLY < <(compgen -W "grants master" -- "$cur")
		return
		;;
	--data)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	-i | --interface)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net)" -- "$cur")
		return
		;;
	esac
	help=$(weir --help 2>/dev/null)
	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$(awk '/^  weir / { print $2 }' <<<"$help")
		mapfile -t COMPREPLY < <(compgen -W "$(sort -u <<<"$words") --help --version" -- "$cur")
		return
	fi
	# The second word of a name ("store check", "user add"), then the options of that line.
	if [ "$COMP_CWORD" -eq 2 ]; then
		words=$(awk -v c="${COMP_WORDS[1]}" '/^  weir / && $2 == c && $3 ~ /^[a-z][a-z-]*$/ { print $3 }' <<<"$help")
		if [ -n "$words" ] && [[ $cur != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
			return
		fi
	fi
	if [[ $cur == -* ]]; then
		words=$({
			awk -v c="${COMP_WORDS[1]}" '/^  weir / && $2 == c' <<<"$help"
			weir "${COMP_WORDS[1]}" --help 2>/dev/null | awk -v v="${COMP_WORDS[2]:-}" '/^  weir / { on = $3 == v } on && /^ *(weir|--)/'
		} | grep -oE -- '(^|[^a-z-])--?[a-z][a-z-]*' | sed 's/^[^-]*//')
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}
complete -o filenames -F _weir weir
