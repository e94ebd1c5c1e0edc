rem The fix for the boot window, Safe Mode and WinPE: cmd alone, one line to send, nothing to start before the act.
rem
rem This is not a batch file: the catalog drops the comments, fills the @NAMES@ in, and joins the lines into one for
rem "cmd /u /v:off /s /c". A line that begins with "for" or "if" is put into parentheses with its block, since on one
rem line everything behind it would belong to its body.
rem
rem What it rests on, in Windows' cmd as in Wine's:
rem - Delayed expansion is off, so names with & % ! ^ in FOR variables are never read again. Counters are only tested by
rem   "if defined" here, and printed by a last cmd that has delayed expansion on and sees no name from the disk.
rem - /u makes everything that cmd itself prints UTF-16, so no name is changed by a code page. What other programs
rem   print would break that, and goes to nul. A file name has no quote and no backslash, so it is a JSON string as it
rem   is; folders come escaped from the catalog. The reader makes hex of the *_text fields.
rem - No environment variable says where Windows is: in WinPE %WINDIR% is X:\Windows. Each drive letter is looked at.
rem   Windows itself has no wpeutil.exe, WinPE and the recovery environment have.
rem - The drive variable holds its colon, and no FOR variable is followed by one: %g:a=b% would be a substitution. No
rem   FOR variable has the letter of a modifier such as %~n.
rem - Wildcards stand alone, in the folder that was gone to: Wine's FOR takes no others. All that acts names its path.
rem - A FOR over a wildcard does not see hidden files; "dir /a:h" does, and attrib makes them plain, after their
rem   attributes are written down.
rem - An "else" is never used, a block's output is redirected by no handle number, and no FOR stands inside parentheses
rem   of another: Wine's cmd misreads all three. Loops follow each other by "do for" and "&&for". Where files move there
rem   is no "for /f", whose variable Wine's "move" writes over.
rem - A 32-bit cmd on 64-bit Windows (PROCESSOR_ARCHITEW6432) is shown another System32, in which all looks well: for it
rem   there is no Windows installation.
rem What cmd cannot do in milliseconds: read header bytes, file times in UTC, or a hash. It takes what the profile says
rem is safe to take by name alone, or the files that a triage listed.
set NoDefaultCurrentDirectoryInExePath=1
set /a FR_N=0 >nul
set /a FR_H=0 >nul
set FR_D=
set FR_ANY=
set FR_LEFT=
set FR_STOP=
set FR_MINE=
for %g in (@DRIVES@) do (
  set FR_IN_%g=
  if not defined PROCESSOR_ARCHITEW6432 if exist "%g\Windows\System32\ntoskrnl.exe" (
    if not exist "%g\Windows\System32\wpeutil.exe" (
      set FR_IN_%g=1
      echo {"record":"installation","path_text":"%g\\Windows"}
      if not defined FR_D (
        set FR_D=1
        set "FR_P=%g@DIRECTORY_TEXT@"
      )
      if exist "%g@VAULT@\@TOKEN@\undone" (
        set FR_STOP=1
        echo {"record":"refused","reason":"exists","path_text":"%g@VAULT_TEXT@\\@TOKEN@"}
      )
    )
  )
)
for %g in (@DRIVES@) do if defined FR_IN_%g if exist "%g@VAULT@" for %r in ("%g@VAULT@") do for /f "tokens=1,2 delims=l" %u in ("-%~ar-") do (
  if not "%v"=="" (
    set FR_STOP=1
    echo {"record":"refused","reason":"link","path_text":"%g@VAULT_TEXT@"}
  )
)
for %g in (@DRIVES@) do if defined FR_IN_%g if exist "%g@DIRECTORY@\@ANY@" cd /d "%g@DIRECTORY@"&&for %i in (@SET@) do for /f "tokens=1,2 delims=l" %u in ("-%~ai-") do (
  if not "%v"=="" (
    set FR_STOP=1
    echo {"record":"refused","reason":"link","path_text":"%g@DIRECTORY_TEXT@\\%~nxi"}
  )
)
for %g in (@DRIVES@) do if defined FR_IN_%g if exist "%g@VAULT@" cd /d "%g@VAULT@"&&for /d %q in (*) do if exist "%g@VAULT@\%~nxq\@HASH@.manifest" if exist "%g@VAULT@\%~nxq\*.file" cd /d "%g@VAULT@\%~nxq"&&for %j in (*.file) do (
  set FR_ANY=1
  set /a FR_H+=1 >nul
)
for %g in (@DRIVES@) do (
  if defined FR_IN_%g (
    if defined FR_STOP (
      if exist "%g@DIRECTORY@\@ANY@" (
        set FR_ANY=1
        set FR_LEFT=1
      )
    )
    if not defined FR_STOP (
      @UNHIDE@
    )
  )
)
for %g in (@DRIVES@) do if not defined FR_STOP if defined FR_IN_%g if exist "%g@DIRECTORY@\@ANY@" cd /d "%g@DIRECTORY@"&&for %i in (@SET@) do for %k in (1 2 3 4 5 6 7 8 9) do (
  if "%k"=="1" (
    set FR_TAKE=
    set FR_SKIP=
    set FR_W=
    if exist "%g@DIRECTORY@\%~nxi" (
      set FR_ANY=1
      set FR_TAKE=1
    )
    if exist "%g@DIRECTORY@\%~nxi\*" (
      set FR_SKIP=1
      echo {"record":"refused","reason":"directory","path_text":"%g@DIRECTORY_TEXT@\\%~nxi"}
    )
    if defined FR_SKIP (
      set FR_TAKE=
    )
    if defined FR_TAKE (
      md "%g@VAULT@\@TOKEN@" >nul 2>nul
    )
  )
  if defined FR_TAKE (
    if not exist "%g@VAULT@\@TOKEN@\%~nxi.%k.file" (
      set FR_TAKE=
      if not exist "%g@VAULT@\@TOKEN@\@HASH@.manifest" (
        echo {"manifest":1,"artifact":"@ARTIFACT@"}>>"%g@VAULT@\@TOKEN@\@HASH@.manifest"
      )
      (echo {"file":"%~nxi.%k.file","from":"%g@DIRECTORY_TEXT@\\%~nxi","size":"%~zi"}>>"%g@VAULT@\@TOKEN@\@HASH@.manifest")&&set FR_W=1
      if not exist "%g@VAULT@\@TOKEN@\@HASH@.manifest" (
        set FR_W=
      )
      if defined FR_W (
        set FR_MINE=1
        move "%g@DIRECTORY@\%~nxi" "%g@VAULT@\@TOKEN@\%~nxi.%k.file" >nul 2>nul
        if exist "%g@VAULT@\@TOKEN@\%~nxi.%k.file" (
          set /a FR_N+=1 >nul
          echo {"record":"moved","from_text":"%g@DIRECTORY_TEXT@\\%~nxi","to_text":"%g@VAULT_TEXT@\\@TOKEN@\\%~nxi.%k.file","sha256":""}
        )
      )
    )
  )
  if "%k"=="9" (
    if not defined FR_SKIP (
      if exist "%g@DIRECTORY@\%~nxi" (
        set FR_LEFT=1
        if defined FR_W (
          echo {"record":"refused","reason":"held","path_text":"%g@DIRECTORY_TEXT@\\%~nxi"}
        )
        if not defined FR_W (
          echo {"record":"refused","reason":"permission","path_text":"%g@VAULT_TEXT@\\@TOKEN@"}
        )
      )
    )
  )
)
for %g in (@DRIVES@) do (
  if defined FR_IN_%g (
    if exist "%g@DIRECTORY@\@ALL@" (
      if not defined FR_LEFT (
        set FR_ANY=1
        set FR_LEFT=1
        echo {"record":"refused","reason":"unsupported","path_text":"%g@DIRECTORY_TEXT@"}
      )
    )
    if exist "%g@VAULT@\@TOKEN@\@HASH@.manifest" (
      echo {"record":"manifest","intent":"@TOKEN@","files":1}
      if defined FR_MINE (
        icacls "%g@VAULT@" /inheritance:r /grant "*S-1-5-18:(OI)(CI)F" /grant "*S-1-5-32-544:(OI)(CI)F" >nul 2>nul
      )
    )
  )
)
if not defined FR_D (
  echo {"record":"trouble","reason":"no_windows_installation_found"}
)
if defined FR_D (
  echo {"record":"system","os":"windows"}
  if not defined FR_ANY (
    echo {"record":"acted","action":"quarantine","files":0,"already":0,"nothing":true}
  )
  if defined FR_ANY (
    cmd.exe /d /u /e:on /v:on /c echo {"record":"acted","action":"quarantine","files":!FR_N!,"already":!FR_H!,"nothing":false}
  )
  set FR_BAD=false
  if defined FR_LEFT (
    set FR_BAD=true
  )
  set /a FR_Q=FR_N+FR_H >nul
  cmd.exe /d /u /e:on /v:on /c echo {"record":"folder","path_text":"!FR_P!","exists":true,"bad":!FR_BAD!,"quarantined":!FR_Q!}
)
echo {"record":"end","token":"@TOKEN@","exit":0}
