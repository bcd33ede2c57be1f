#!/usr/bin/env bash
# Deletes what was materialised, after naming it: a lake holds champions and landed bytes that no command brings back.
set -euo pipefail
found=()
for place in "$@"; do
  case $place in
    *://*) echo "$place is an object store; delete it with its own tools." ;;
    *) [ -e "$place" ] && found+=("$place") ;;
  esac
done
if [ ${#found[@]} -eq 0 ]; then
  echo "Nothing was materialised in: $*"
  exit 0
fi
echo "This deletes, for good:"
for place in "${found[@]}"; do
  echo "  $(du -sh "$place" | cut -f1)  $place"
  for part in "$place"/landing "$place"/tables "$place"/models; do
    if [ -d "$part" ]; then
      echo "        $(du -sh "$part" | cut -f1)  $(basename "$part"): $(find "$part" -mindepth 1 -maxdepth 1 -printf '%f ' | cut -c1-100)"
    fi
  done
done
if [ "${CONFIRM:-}" != yes ]; then
  read -r -p "Type yes to delete it (or run it with CONFIRM=yes): " answer || answer=""
  [ "$answer" = yes ] || { echo "Nothing was deleted."; exit 1; }
fi
rm -rf -- "${found[@]}"
echo "Deleted."
