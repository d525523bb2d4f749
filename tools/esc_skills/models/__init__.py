"""The one door to models: requests, endpoints, what is kept of their answers, and the voices that models play."""
