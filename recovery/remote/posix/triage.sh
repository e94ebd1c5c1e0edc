# Reads what the host is in. Changes nothing.

fr_main() {
  fr_boot
  fr_report
}
