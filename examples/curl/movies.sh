#!/usr/bin/env bash
# The movie list through curl --aws-sigv4: list, read, write, delete. README.md says how to run it, and which of curl's
# traps it goes around.
set -euo pipefail

: "${MARQUEE_URL:?the API\'s invoke URL, with its stage}" "${AWS_REGION:?the region of the API}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Keys reach curl by a configuration file that only this user can read: arguments are seen by everybody on the machine.
# Temporary keys need their session token besides, which curl knows nothing of.
local_file=$(dirname "${AWS_SHARED_CREDENTIALS_FILE:-.}")/curl/${AWS_PROFILE:-default}
if [ -z "${AWS_ACCESS_KEY_ID:-}" ] && [ -f "$local_file" ]; then
  config=$local_file # marquee local writes one for each profile
else
  if [ -z "${AWS_ACCESS_KEY_ID:-}" ]; then
    exported=$(aws configure export-credentials --format env) # the normal chain of the AWS CLI, version 2
    eval "$exported"
  fi
  config=$scratch/credentials
  (
    umask 077
    printf 'user = "%s:%s"\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
    if [ -n "${AWS_SESSION_TOKEN:-}" ]; then
      printf 'header = "X-Amz-Security-Token: %s"\n' "$AWS_SESSION_TOKEN"
    fi
  ) >"$config"
fi

base=$MARQUEE_URL
host=()
if [ -n "${MARQUEE_VPCE:-}" ]; then
  # Private DNS is off: connections go to the VPC endpoint's own name; Host and signature keep the API's.
  api=${MARQUEE_URL#*://}
  host=(--header "Host: ${api%%/*}")
  case $MARQUEE_VPCE in
    *://*) base=$MARQUEE_VPCE/${api#*/} ;;
    *) base=https://$MARQUEE_VPCE/${api#*/} ;;
  esac
fi

# call METHOD PATH [OPTION...] prints the body of the answer, whose headers are in $scratch/headers.
call() {
  local method=$1 path=$2 status type
  shift 2
  status=$(curl --silent --show-error --max-time 10 --request "$method" "$@" "${host[@]}" \
    --aws-sigv4 "aws:amz:$AWS_REGION:execute-api" --config "$config" \
    --dump-header "$scratch/headers" --output "$scratch/body" --write-out '%{http_code}' "$base$path")
  if [ "$status" -ge 300 ]; then
    type=$(header x-amzn-errortype)
    # A signature that does not match is answered at length; the later lines would hold the session token.
    echo "$status $type: $(sed 's/\\n.*//' "$scratch/body")" >&2
    exit 4
  fi
  cat "$scratch/body" 2>/dev/null || true # a 204 has none
}

header() { # the value of a header of the last answer
  awk -v name="$1" 'BEGIN { FS = ": " } tolower($1) == name { sub(/\r$/, ""); print substr($0, length(name) + 3) }' "$scratch/headers"
}

# Encoded as RFC 3986 says, and sorted by name.
call GET "/movie_list?director=Alfonso%20Cuar%C3%B3n&fields=rating&limit=10&sort=year"

# A path stays free of percent signs.
call GET /movie_list/1979/Alien

mine=/movie_list/2026/Take-$$
call PUT "$mine" --header "Content-Type: application/json" --data '{"info":{"genres":["Comedy"]}}'
call DELETE "$mine" --header "If-Match: $(header etag)"
echo "deleted it"
