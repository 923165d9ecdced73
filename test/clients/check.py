"""Microsoft's own clients for Python, unmodified, take the emulator for Microsoft.

Run by `npm run try:client -- python3 test/clients/check.py` with azure-identity and msgraph-sdk installed.
"""

import asyncio
import json
import logging
import os
import urllib.request

from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.user import User
from msgraph.generated.users.delta.delta_request_builder import DeltaRequestBuilder
from msgraph_core import GraphClientFactory

EMULATOR, CONTROL, TENANT = os.environ["EMULATOR"], os.environ["CONTROL"], os.environ["TENANT"]
logging.getLogger("azure.identity").setLevel(logging.ERROR)  # it warns of the secret that is wrong on purpose
CLIENT_ID, CLIENT_SECRET = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]


def control(method, path, body=None):
    request = urllib.request.Request(
        f"{CONTROL}/{path}", method=method, data=None if body is None else json.dumps(body).encode()
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def credential(secret=CLIENT_SECRET):
    # An authority that Microsoft does not list is not asked about at Microsoft's.
    return ClientSecretCredential(TENANT, CLIENT_ID, secret, authority=EMULATOR, disable_instance_discovery=True)


def client(secret):
    # No scope is named, so that the client asks for the host's own: without the port, as it does.
    provider = AzureIdentityAuthenticationProvider(secret, allowed_hosts=["localhost"])
    adapter = GraphRequestAdapter(provider, GraphClientFactory.create_with_default_middleware())
    adapter.base_url = f"{EMULATOR}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def pages(builder, first):
    """All objects of a list or of a round, and the last page."""
    objects, page = list(first.value), first
    while page.odata_next_link:
        page = await builder.with_url(page.odata_next_link).get()
        objects += page.value
    return objects, page


async def check_token():
    async with credential() as good:
        token = await good.get_token("https://graph.microsoft.com/.default")
        assert len(token.token.split(".")) == 3, "an access token of three parts"
    async with credential("wrong") as wrong:
        try:
            await wrong.get_token("https://graph.microsoft.com/.default")
            raise AssertionError("a wrong secret was taken")
        except ClientAuthenticationError as refused:
            assert "AADSTS7000215" in str(refused), str(refused)


async def check_lists(graph, truth):
    """What Microsoft's v1.0 lists leave out is no part of `truth`: members that are service principals."""
    users, _ = await pages(graph.users, await graph.users.get())
    assert len({user.id for user in users}) == len(users) == 400, len(users)
    assert all(isinstance(user, User) and user.user_principal_name for user in users)
    groups, _ = await pages(graph.groups, await graph.groups.get())
    assert len({group.id for group in groups}) == len(groups) == 40, len(groups)
    told = set()
    for group in groups:
        builder = graph.groups.by_group_id(group.id).members
        members, _ = await pages(builder, await builder.get())
        told |= {(group.id, member.id) for member in members}
    assert told == truth, f"{len(told)} memberships, {len(truth)} in the directory"
    try:
        await graph.users.by_user_id("99999999-9999-4999-8999-999999999999").get()
        raise AssertionError("nobody was found")
    except ODataError as refused:
        assert (refused.response_status_code, refused.error.code) == (404, "Request_ResourceNotFound")
    return users


async def check_groups_delta(graph, truth):
    groups, _ = await pages(graph.groups.delta, await graph.groups.delta.get())
    assert len({group.id for group in groups}) == 40, len(groups)
    told = {
        (group.id, str(member["id"])) for group in groups for member in group.additional_data.get("members@delta", [])
    }
    assert told == truth, f"{len(told)} memberships, {len(truth)} in the directory"


async def check_users_delta(graph):
    select = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(select=["displayName", "jobTitle"])
    first = await graph.users.delta.get(RequestConfiguration(query_parameters=select))
    users, last = await pages(graph.users.delta, first)
    assert len(users) == 400, len(users)
    changed, gone = users[0].id, users[1].id
    control("PATCH", f"users/{changed}", {"jobTitle": "Astronaut"})
    control("DELETE", f"users/{gone}")
    made = control("POST", "users", {"displayName": "Grace Hopper"})["id"]
    since, _ = await pages(graph.users.delta, await graph.users.delta.with_url(last.odata_delta_link).get())
    by_id = {user.id: user for user in since}
    assert set(by_id) == {changed, gone, made}, sorted(by_id)
    assert by_id[changed].job_title == "Astronaut" and by_id[made].display_name == "Grace Hopper"
    assert by_id[gone].additional_data["@removed"]["reason"] == "changed"


async def main():
    memberships = control("GET", "truth")["memberships"]
    truth = {(one["groupId"], one["memberId"]) for one in memberships}
    listed = {(one["groupId"], one["memberId"]) for one in memberships if one["memberType"] != "servicePrincipal"}
    await check_token()
    async with credential() as secret:
        graph = client(secret)
        await check_lists(graph, listed)
        await check_groups_delta(graph, truth)
        await check_users_delta(graph)
    print(f"azure-identity and msgraph-sdk: token, 400 users, 40 groups, {len(truth)} memberships, delta")


asyncio.run(main())
