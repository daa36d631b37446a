-- Sample for /etc/rspamd/rspamd.local.lua: loads the rules. If you have this file, add the line.
dofile("/etc/rspamd/backstop.lua")
