# Reads what could take the host down, and how it could be helped. Changes nothing.

fr_main() {
  fr_boot
  fr_system
  fr_services
  fr_modules
  fr_readiness
  fr_end 0
}
