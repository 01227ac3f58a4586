from dataclasses import dataclass

from pydantic import BaseModel


@dataclass
class Settings:
    volume: int


class Model(BaseModel):
    volume: int
