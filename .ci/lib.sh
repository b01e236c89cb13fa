# Sections of a check: each is timed, logged and counted. Sourced by run and full.
# A section's counts are those that its tools print (vitest, "N passed, N failed"); without any it counts as one.

PASSED=0
FAILED=0
SUMMARY=()

# section TITLE COMMAND...: runs the command (a function or a program) and adds its counts.
# ATMOREP_CI_ONLY, an extended regular expression, chooses the titles that run.
section() {
  local title=$1 log status start seconds passed failed
  shift
  if [[ ! $title =~ ${ATMOREP_CI_ONLY:-.} ]]; then return; fi
  log="$WORK/section.log"
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
  SUMMARY+=("$(printf '%4d s  %4d passed  %3d failed  %s' "$seconds" "$passed" "$failed" "$title")")
  printf -- '--- %s: %d s, %d passed, %d failed\n' "$title" "$seconds" "$passed" "$failed"
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

# Prints the sections and the counts alone on the last line; fails if anything failed.
finish() {
  printf '\n'
  printf '%s\n' "${SUMMARY[@]}"
  printf '%5d s in all\n' "$SECONDS"
  printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
  [ "$FAILED" = 0 ]
}
