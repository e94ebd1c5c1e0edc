"""The dashboard: an incident commander's instrument in the terminal."""
