"""The world the other rooms run in: settings, clock, clients of the servers, the embedded stack."""
