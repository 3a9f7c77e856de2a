"""The commands, one file each; every one but `serve`, `check`, `import`, `schema` and `stdio` speaks to the admin API and nothing else."""
