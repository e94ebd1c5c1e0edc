"""When it will be over, and what it costs until then: people and queues in virtual time, fed by runs of the twin."""
