"""The gateway's file as a configuration of Envoy, for those who want more requests than Python passes on.

routes      which paths go where, with rewriting, retries, canaries and cross-origin rules
callers     who may ask, and how often: filters in front of the routes
clusters    upstreams, with breakers, health checks and balancing
document    the whole, and what Envoy has no equal of
"""

from mgw.gateway.envoy.document import envoy_configuration, keys_for_envoy

__all__ = ["envoy_configuration", "keys_for_envoy"]
