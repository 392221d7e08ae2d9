"""The chase after new reference prices within the provider's limits: policy, loop, provider, what is learnt."""
