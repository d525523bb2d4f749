"""Discovery: dialogues become Intervention Units, units become prototypes, and prototypes become drafts of skills."""
