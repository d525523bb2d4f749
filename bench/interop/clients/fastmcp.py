"""FastMCP: a server offers the skills as resources, and a client of it lists and reads them; no model is in it."""

from __future__ import annotations

import asyncio

from harness.client import Bank, Loaded, Skill, body_of


def run(bank: Bank) -> Loaded:
    return asyncio.run(_run(bank))


async def _run(bank: Bank) -> Loaded:
    folder = bank.folder
    # copy
    from fastmcp import Client, FastMCP
    from fastmcp.skills import SkillsClientExtension
    from fastmcp.skills.provider import SkillsDirectoryProvider

    server = FastMCP("bank")
    server.add_provider(SkillsDirectoryProvider([folder]))
    async with Client(server, extensions=[SkillsClientExtension()]) as client:
        listed = await client.list_skills()
        resources = await client.list_resources()
        read = [await client.read_skill(skill.uri) for skill in listed]
    # end
    skills = [Skill(each.name, each.description, body_of(each.files["SKILL.md"].decode())) for each in read]
    return Loaded(skills, "\n".join(f"{each.uri}: {each.description}" for each in resources))
