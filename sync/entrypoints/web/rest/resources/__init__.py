"""The resources of the API, a module each; whatever several of them stand on is beside this folder."""
