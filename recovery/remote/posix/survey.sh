# Reads what the host is in, and the machine at large. Changes nothing.

fr_main() {
  fr_boot
  fr_condition
  fr_facts
  fr_modules
  fr_updates
  fr_mark
  fr_end 0
}
