# Reads what the host is in. Changes nothing.
[Console]::Out.Write('{"record":"end","token":"' + $Given.TOKEN + '","exit":0}' + "`n")
