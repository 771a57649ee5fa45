#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ./dev logs [-f] NAME: the end of a program's or server's log; -f follows it.
set -euo pipefail

. "$VIADUCT_ROOT/tools/dev/common.sh"
. "$VIADUCT_ROOT/tools/dev/programs.sh"

follow=()
name=
for word in "$@"; do
    case $word in
    -f) follow=(-F) ;;
    *) name=$word ;;
    esac
done
names="${programs[*]} postgres redis kafka smtp"
[[ -n $name && " $names " == *" $name "* ]] || die "usage: ./dev logs [-f] NAME, one of: $names"
[ -e "$programs_state/$name/log" ] || die "$name has not been started here; ./dev up starts everything"
exec tail -n 200 "${follow[@]}" "$programs_state/$name/log"
