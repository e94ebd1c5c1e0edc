# Reads what the host is in. Changes nothing.

fr_main() {
  fr_boot
  fr_system
  fr_listing
  fr_services
  fr_crashes
  fr_mark
  fr_end 0
}
