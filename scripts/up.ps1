# scripts/up for Windows: runs it in WSL 2, with the same options. With Docker Desktop's WSL integration,
# `scripts\up.ps1 --engine compose` runs the services as containers.
$ErrorActionPreference = 'Stop'
$root = Split-Path -Parent $PSScriptRoot

if (-not (Get-Command wsl.exe -ErrorAction SilentlyContinue)) {
    Write-Error 'missing: WSL 2, in which the functions run. Install it with: wsl --install -d Debian'
    exit 2
}
& wsl.exe --cd $root -e bash scripts/up @args
exit $LASTEXITCODE
