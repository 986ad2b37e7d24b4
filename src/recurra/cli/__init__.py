"""The command `recurra`: one module per verb; `app` names the verbs and turns errors into one line and an exit code."""
