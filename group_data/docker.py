# What all hosts of the group `docker` share.
watchtower_timezone = "Europe/London"
watchtower_notify_url = "file:~/.config/zerotoil/notify-url"
