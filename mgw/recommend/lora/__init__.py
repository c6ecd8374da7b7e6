"""Two-tier LoRA: what everybody shares, and a small matrix for each user that turns the recommender to their taste now.

ALS knows a user by all titles alike. The adapter is a low-rank change of the user's query that the latest ones decide:

    s_ui = (α/r) · B_u A y_i                        y_i: factors of title i, (d,)
    list score = base score + strength · s_ui       the base score as a z-score over the titles

`recency` orders what users like, `shared` fits A from everybody, `user` fits B_u for each, `payload` is the stored form
of B_u, `store` keeps adapters in the database, `proof` measures whether they help.
"""
