"""CrewAI: the agent's prompt holds names and descriptions, and there is no tool to read a body with."""

from __future__ import annotations

from harness.client import SAID, Bank, Loaded, Skill


def run(bank: Bank) -> Loaded:
    from crewai import LLM

    folder, model = bank.folder, LLM(model="openai/gpt-4o", base_url=bank.url, api_key="none")
    # copy
    from crewai import Agent
    from crewai.skills.loader import activate_skill, discover_skills

    # Descriptions alone; `skills=[activate_skill(skill)]` puts the bodies of those that you choose into the prompt.
    skills = discover_skills(folder)
    agent = Agent(role="supporter", goal="support", backstory="a friend", llm=model, skills=[folder])
    bodies = [activate_skill(skill).instructions for skill in skills]
    # end
    agent.kickoff(SAID)
    return Loaded([Skill(skill.name, skill.description, body) for skill, body in zip(skills, bodies, strict=True)])
