"""What tests of Doorward, of its drivers and of programs around it are made with."""
