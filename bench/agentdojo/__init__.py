"""AgentDojo's tasks replayed through policy and flow: what agents do when they are talked into something, without a model."""
