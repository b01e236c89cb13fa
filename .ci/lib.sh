# Sections of a check: each is timed, logged and counted. Sourced by run and full.
# A section's counts are those that its tools print (vitest, "N passed, N failed"); without any it counts as one.

PASSED=0
FAILED=0
SUMMARY=()
FAILURES=()

# section TITLE COMMAND...: runs the command (a function or a program) and adds its counts.
# ATMOREP_CI_ONLY, an extended regular expression, chooses the titles that run.
section() {
  local title=$1 log status start seconds passed failed
  shift
  if [[ ! $title =~ ${ATMOREP_CI_ONLY:-.} ]]; then return; fi
  log="$WORK/section.$BASHPID.log"
  start=$SECONDS
  printf '\n=== %s\n' "$title"
  (set -e; "$@") < /dev/null 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  seconds=$((SECONDS - start))
  read -r passed failed < <(counts "$log")
  if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
  if [ "$status" = 0 ] && [ "$passed" = 0 ]; then passed=1; fi
  PASSED=$((PASSED + passed))
  FAILED=$((FAILED + failed))
  if [ "$failed" != 0 ]; then FAILURES+=("$title" "$(failures "$log")"); fi
  rm -f "$log"
  SUMMARY+=("$(printf '%4d s  %4d passed  %3d failed  %s' "$seconds" "$passed" "$failed" "$title")")
  printf -- '--- %s: %d s, %d passed, %d failed\n' "$title" "$seconds" "$passed" "$failed"
}

# beside TITLE COMMAND...: a section beside others, ATMOREP_CI_LANES (2) at a time; what it prints comes when it has ended.
# together waits for all of them and adds their counts.
PARTS=()
GROUPS_RUNNING=()
beside() {
  if [[ ! $1 =~ ${ATMOREP_CI_ONLY:-.} ]]; then return; fi
  while [ "$(jobs -rp | wc -l)" -ge "${ATMOREP_CI_LANES:-2}" ]; do wait -n; done
  local part
  part=$(mktemp "$WORK/part.XXXXXX")
  PARTS+=("$part")
  printf '\n... %s begins\n' "$1"
  set -m # a process group of its own, which ends as a whole
  (
    trap - EXIT
    PASSED=0 FAILED=0 SUMMARY=() FAILURES=()
    section "$@" > "$part.log" 2>&1
    printf '%d %d\n%s\n' "$PASSED" "$FAILED" "${SUMMARY[0]}" > "$part"
    if [ "$FAILED" != 0 ]; then printf '%s\n' "${FAILURES[@]}" >> "$part"; fi
    cat "$part.log"
  ) < /dev/null &
  set +m
  GROUPS_RUNNING+=("$!")
}

together() {
  local part passed failed line
  wait
  for part in ${PARTS[@]+"${PARTS[@]}"}; do
    passed=0 failed=1 line="        a section ended before its time"
    { read -r passed failed && IFS= read -r line; } < "$part"
    if [ "$failed" != 0 ]; then FAILURES+=("$(tail -n +3 "$part")"); fi
    PASSED=$((PASSED + passed))
    FAILED=$((FAILED + failed))
    SUMMARY+=("$line")
  done
  PARTS=()
  GROUPS_RUNNING=()
}

# Ends what still runs.
stop_sections() {
  local group
  for group in ${GROUPS_RUNNING[@]+"${GROUPS_RUNNING[@]}"}; do kill -- "-$group" 2> /dev/null; done
  return 0
}

# The sum of all counts in a log; a file that vitest could not run counts as a failure.
counts() {
  awk '
    { gsub(/\033\[[0-9;]*m/, "") }
    /^ *(Tests|Test Files) / {
      p = f = 0
      for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) p = $(i-1); if ($i ~ /^failed/) f = $(i-1) }
      if ($1 == "Test") { filesFailed = f } else { passed += p; failed += (f == 0 && filesFailed > 0) ? filesFailed : f; filesFailed = 0 }
    }
    /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3 }
    END { print passed + 0, failed + 0 }
  ' "$1"
}

# What failed by a log: vitest's tests with their first words of why; of another tool the last lines.
failures() {
  local found
  found=$(sed 's/\x1b\[[0-9;]*m//g' "$1" | grep -A 4 '^ *FAIL ' | cut -c 1-300 | head -n 60)
  if [ -n "$found" ]; then printf '%s\n' "$found"; else tail -n 12 "$1" | cut -c 1-300; fi
}

# Prints the sections, what failed, and the counts alone on the last line; fails if anything failed.
finish() {
  printf '\n'
  printf '%s\n' "${SUMMARY[@]}"
  printf '%5d s in all\n' "$SECONDS"
  if [ "$FAILED" != 0 ]; then printf '\nfailed:\n' && printf '%s\n' "${FAILURES[@]}"; fi
  printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
  [ "$FAILED" = 0 ]
}
