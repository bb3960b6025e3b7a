#!/bin/sh
# Makes the secrets that compose.yaml names, once: sh deploy/compose/secrets.sh [FOLDER [HOST:PORT]]
# Nobody but you enters the folder; the files in it are readable, so that each container reads those
# it is given. What is there stays.
set -eu
folder=${1:-$(dirname "$0")/../secrets}
place=${2:-database:5432}
umask 077
mkdir -p "$folder"
chmod 0700 "$folder"

word() { # letters and digits only: it stands in an address
    head -c 512 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | head -c "$1"
}

keep() { # keep NAME: standard input, where there is none yet
    if [ -s "$folder/$1" ]; then
        cat >/dev/null
    else
        cat >"$folder/$1.new"
        chmod 0444 "$folder/$1.new"
        mv "$folder/$1.new" "$folder/$1"
    fi
}

word 64 | keep secret_key
word 32 | keep postgres_password
word 32 | keep owner_password
word 32 | keep app_password
printf 'postgresql://zhengwu_app:%s@%s/zhengwu' "$(cat "$folder/app_password")" "$place" | keep database_url
printf 'postgresql://zhengwu_owner:%s@%s/zhengwu' "$(cat "$folder/owner_password")" "$place" | keep owner_database_url
echo "$folder: $(ls "$folder" | wc -l) secrets. Keep secret_key and the passwords somewhere else too."
