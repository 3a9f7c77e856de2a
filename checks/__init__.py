"""The laws of ARCHITECTURE.md that no ordinary linter knows, each as a check that fails the build."""
